package browser

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// look is how often a page is looked at while a test waits for it.
const look = 20 * time.Millisecond

// needs skips a test that lacks a program, or fails it where all must be there.
func needs(t testing.TB, what, how string) {
	t.Helper()
	if os.Getenv("SUPPORTD_REAL") == "1" {
		t.Fatalf("%s is missing: %s", what, how)
	}
	t.Skipf("%s is missing: %s; SUPPORTD_REAL=1 makes this a failure", what, how)
}

// chromium gives the program of the browser.
func chromium(t testing.TB) string {
	t.Helper()
	program := os.Getenv("SUPPORTD_CHROMIUM")
	if program == "" {
		program = "chromium"
	}
	path, err := exec.LookPath(program)
	if err != nil {
		needs(t, "Chromium", "apt-get install chromium fonts-dejavu-core, or name another in SUPPORTD_CHROMIUM")
	}
	return path
}

// axe gives the script of the accessibility checker.
func axe(t testing.TB) string {
	t.Helper()
	file := os.Getenv("SUPPORTD_AXE")
	if file == "" {
		needs(t, "axe-core", "npm install --prefix DIR axe-core, and name its axe.min.js in SUPPORTD_AXE")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		needs(t, "axe-core", err.Error())
	}
	return string(b)
}

// start starts a browser with a profile of its own, which ends with the test.
func start(t testing.TB) context.Context {
	t.Helper()
	program := chromium(t)
	profile, err := os.MkdirTemp("", "supportd-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.UserDataDir(profile), chromedp.Flag("headless", "new"),
		chromedp.Flag("lang", "en"), chromedp.DisableGPU, chromedp.WSURLReadTimeout(patience))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	alloc, kill := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Log("ending the browser: ", err)
		}
		cancel()
		kill() // should the process still be there, by its id
		if err := os.RemoveAll(profile); err != nil {
			t.Log("removing the browser's profile: ", err)
		}
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal("starting the browser: ", err)
	}
	return ctx
}

// tab is a page of a browser, with cookies of its own.
type tab struct {
	t     testing.TB
	ctx   context.Context
	url   string // of the console
	files string // where downloads go
	width int64

	mu      sync.Mutex
	windows []string // what scripts said in windows of their own
}

// tab opens a page as wide as told, in English, in light colours.
func (s *site) tab(chrome context.Context, width int64) *tab {
	s.t.Helper()
	ctx, cancel := chromedp.NewContext(chrome, chromedp.WithNewBrowserContext())
	s.t.Cleanup(cancel)
	b := &tab{t: s.t, ctx: ctx, url: s.url, files: s.t.TempDir()}
	if err := chromedp.Do(ctx); err != nil { // what opens it may not end before it
		s.t.Fatal("opening a page: ", err)
	}
	err := chromedp.Listen(ctx, func(ev any) {
		if d, ok := ev.(*page.EventJavascriptDialogOpening); ok {
			b.mu.Lock()
			b.windows = append(b.windows, d.Message)
			b.mu.Unlock()
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
	send(b, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "en-GB"})
	_, err = chromedp.CallBrowser(ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow,
		BrowserContextID: chromedp.FromContext(ctx).BrowserContextID, DownloadPath: b.files})
	if err != nil {
		s.t.Fatal(err)
	}
	b.colours("light")
	b.wide(width)
	return b
}

// said lists what scripts said in windows of their own.
func (b *tab) said() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.windows
}

// wide sets the width of the page; below 500 it is a telephone.
func (b *tab) wide(width int64) {
	b.t.Helper()
	b.width = width
	b.size(map[bool]int64{true: 844, false: 860}[width < 500])
}

func (b *tab) size(height int64) {
	b.t.Helper()
	send(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: b.width, Height: height, DeviceScaleFactor: 1, Mobile: b.width < 500})
}

// colours sets whether the page is light or dark.
func (b *tab) colours(scheme string) {
	b.t.Helper()
	send(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// scripts allows the page's scripts, or not.
func (b *tab) scripts(on bool) {
	b.t.Helper()
	send(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

// call does something in the browser.
func call(b *tab, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.state())
	}
}

// send sends a command of the protocol.
func send[P, R any](b *tab, c cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, c, params)
	if err != nil {
		b.t.Fatalf("%s: %v", c.Method, err)
	}
	return r
}

// state tells where the page is, for whoever reads a failure.
func (b *tab) state() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	b.shot("failed")
	return text
}

// visit opens a page of the console.
func (b *tab) visit(path string) {
	b.t.Helper()
	call(b, chromedp.Navigate(b.url+path))
}

// eval gives what an expression is worth on the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%.200s: %v\n%s", expression, err, b.state())
	}
	return out
}

// until looks at the page until a condition holds there.
func (b *tab) until(condition string) {
	b.t.Helper()
	tick, late := time.NewTicker(look), time.After(patience)
	defer tick.Stop()
	for {
		// Between two pages there is nothing to look at: that is no error.
		if holds, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`!!(`+condition+`)`)); err == nil && holds {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			b.t.Fatalf("it never came to pass that %s\n%s", condition, b.state())
		case <-b.ctx.Done():
			b.t.Fatal(b.ctx.Err())
		}
	}
}

func quoted(s string) string {
	out, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always can be
	}
	return string(out)
}

// sees waits until every one of the texts stands on the page, where one can see it.
func (b *tab) sees(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.until(`document.readyState == "complete" && document.body.innerText.replace(/\s+/g, " ").includes(` + quoted(text) + `)`)
	}
}

// at waits until the page is that of a path.
func (b *tab) at(path string) {
	b.t.Helper()
	b.until(`location.pathname == ` + quoted(path) + ` && document.readyState == "complete"`)
}

// press clicks a button, link or heading that opens something by its words, or
// how they begin, where nothing covers it. Within is a selector of what it
// stands in; "": the page.
func (b *tab) press(words, within string) {
	b.t.Helper()
	if within == "" {
		within = "body"
	}
	found := `(() => {
  const inside = document.querySelector(` + quoted(within) + `), words = ` + quoted(words) + `;
  if (!inside || document.readyState != "complete") return [];
  const all = [...inside.querySelectorAll("button, summary, a")].filter((e) => e.checkVisibility());
  const said = (e) => e.innerText.trim().replace(/\s+/g, " ");
  const e = all.find((e) => said(e) == words) || all.find((e) => said(e).startsWith(words));
  if (!e) return [];
  e.scrollIntoView({ block: "center", behavior: "instant" });
  const r = [...e.getClientRects()].find((r) => r.width > 0);
  const x = r.left + r.width / 2, y = r.top + r.height / 2, top = document.elementFromPoint(x, y);
  return top && e.contains(top) ? [x, y] : [];
})()`
	b.until(`(window.at = ` + found + `).length == 2`)
	at := eval[[]float64](b, `window.at || []`)
	if len(at) != 2 {
		b.t.Fatalf("the page changed while %q was looked for", words)
	}
	call(b, chromedp.MouseClickXY(at[0], at[1]))
}

// field finds a control by the words of its label.
func field(label, within string) string {
	if within == "" {
		within = "body"
	}
	return `[...document.querySelector(` + quoted(within) + `).querySelectorAll("input:not([type=hidden]), textarea, select")].find((e) => e.checkVisibility() && ` +
		`(e.getAttribute("aria-label") || [...(e.labels || [])].map((l) => l.querySelector("span").innerText).join()).trim().startsWith(` + quoted(label) + `))`
}

// fill types into a field, in place of what stands there.
func (b *tab) fill(label, within, text string) {
	b.t.Helper()
	f := field(label, within)
	b.until(f)
	eval[bool](b, `(() => { const f = `+f+`; f.focus(); if (f.select) f.select(); return true; })()`)
	send(b, input.InsertText, input.InsertTextParams{Text: text})
	if got := eval[string](b, f+`.value`); strings.ReplaceAll(got, "\r", "") != text {
		b.t.Fatalf("%q holds %q, not %q", label, got, text)
	}
}

// choose chooses in a list, or sets a date.
func (b *tab) choose(label, within, value string) {
	b.t.Helper()
	f := field(label, within)
	b.until(f)
	if got := eval[string](b, `(() => { const f = `+f+`; f.value = `+quoted(value)+`; return f.value; })()`); got != value {
		b.t.Fatalf("%q cannot be %q", label, value)
	}
}

// keys presses keys, as staff do who use nothing else.
func (b *tab) keys(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		call(b, chromedp.KeyEvent(k))
	}
}

// shot keeps a picture of what is seen of the page under a name and its width.
func (b *tab) shot(name string) {
	dir := os.Getenv("SUPPORTD_SHOTS")
	if dir == "" {
		dir = b.files // which ends with the test
	}
	picture, err := b.capture()
	for range 2 { // on a busy machine the browser loses one now and then
		if err == nil {
			break
		}
		picture, err = b.capture()
	}
	if err == nil && strings.HasPrefix(name, "readme") {
		picture, err = flat(picture)
	}
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, b.width)), picture, 0o644)
	}
	if err != nil {
		b.t.Errorf("keeping a picture of %s: %v", name, err)
	}
}

// capture takes a picture of what is shown.
func (b *tab) capture() ([]byte, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, page.BringToFront, cdp.Empty{}); err != nil { // a page behind another one may not be drawn
		return nil, err
	}
	return chromedp.Run(ctx, chromedp.CaptureScreenshot())
}

// flat draws a picture with the 256 colours that it has most of, each of the
// others as the one that is nearest: a page is hardly told apart, and takes half
// the room.
func flat(from []byte) ([]byte, error) {
	img, err := png.Decode(bytes.NewReader(from))
	if err != nil {
		return nil, err
	}
	often := map[color.RGBA]int{}
	r := img.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			often[color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(often), func(a, b color.RGBA) int {
		return cmp.Or(often[b]-often[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	var few color.Palette
	for _, c := range colours[:min(256, len(colours))] {
		few = append(few, c)
	}
	out := image.NewPaletted(r, few)
	draw.Draw(out, r, img, r.Min, draw.Src)
	var b bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, out)
	return b.Bytes(), err
}

// whole keeps a picture of the page from its top to its end, at both widths.
func (b *tab) whole(name string) {
	b.t.Helper()
	before := b.width
	for _, width := range []int64{390, 1280} {
		b.wide(width)
		b.size(max(eval[int64](b, `Math.ceil(document.documentElement.scrollHeight)`), 844))
		b.shot(name)
	}
	b.wide(before)
}
