package datamap

import (
	"fmt"

	"push.guru/supportd/inbox"
)

// The places of the embedded store.
const (
	PlaceProfile = "profile" // the person's own record
	PlaceVisits  = "visits"  // what the site collected by itself
)

// The columns that the site writes, in both places of the embedded store.
const (
	ColumnID        inbox.Field = "id"
	ColumnActive    inbox.Field = "active"
	ColumnWithdrawn inbox.Field = "withdrawn"
	ColumnAt        inbox.Field = "at"
	ColumnIP        inbox.Field = "ip"
	ColumnAgent     inbox.Field = "agent"
	ColumnPage      inbox.Field = "page"
	ColumnCookie    inbox.Field = "cookie"
)

// Embedded gives the map of the embedded store: the profile and the visits. A
// site with other purposes or recipients takes its Places, changes the texts
// and calls New.
func Embedded() *Map {
	m, err := New(profile(), visits())
	if err != nil {
		panic(fmt.Sprintf("the embedded map is at fault: %v", err))
	}
	return m
}

func text(en, ru, kk string) Text { return Text{"en": en, "ru": ru, "kk": kk} }

var recipients = text(
	"only our own staff, and the company whose servers the site runs on",
	"только нашим сотрудникам и компании, на серверах которой работает сайт",
	"тек қызметкерлерімізге және сайттың серверлерін ұсынатын компанияға")

func profile() Place {
	return Place{
		Name: PlaceProfile, Single: true,
		Label: text("Profile", "Профиль", "Профиль"),
		Purpose: text("to run your account and to show it the way you set it up",
			"чтобы вести ваш аккаунт и показывать его так, как вы его настроили",
			"аккаунтыңызды жүргізу және оны өзіңіз баптағандай көрсету үшін"),
		Retention: text("until you delete the data or the account",
			"пока вы не удалите эти данные или аккаунт",
			"бұл деректерді немесе аккаунтты жойғаныңызға дейін"),
		Recipients: recipients,
		Columns: append([]Column{
			{Field: ColumnID, Fixed: true, Label: text("Account number", "Номер аккаунта", "Аккаунт нөмірі")},
			{Field: ColumnActive, Fixed: true, Type: TypeBool, Label: text("Account is active", "Аккаунт активен", "Аккаунт белсенді")},
			{Field: ColumnWithdrawn, Fixed: true, Label: text("Objection recorded", "Возражение записано", "Қарсылық тіркелген күн")},
		}, knownFields()...),
	}
}

// Known gives the column that a field has by default, and whether it is one
// that every site is expected to know: label, type, longest value, and how
// values are joined.
func Known(f inbox.Field) (Column, bool) {
	for _, c := range knownFields() {
		if c.Field == f {
			return c, true
		}
	}
	return Column{}, false
}

// knownFields are the fields that every site is expected to know.
func knownFields() []Column {
	return []Column{
		{Field: inbox.FieldFullName, Max: 200, Join: " ", Label: text("Full name", "Полное имя", "Аты-жөні")},
		{Field: inbox.FieldGivenName, Max: 100, Join: " ", Label: text("First name", "Имя", "Аты")},
		{Field: inbox.FieldFamilyName, Max: 100, Join: " ", Label: text("Last name", "Фамилия", "Тегі")},
		{Field: inbox.FieldNickname, Max: 100, Join: ", ", Label: text("Nickname", "Никнейм", "Лақап аты")},
		{Field: inbox.FieldEmail, Type: TypeEmail, Max: 254, Needed: true, Label: text("Email address", "Электронная почта", "Электрондық пошта")},
		{Field: inbox.FieldPhone, Type: TypePhone, Max: 100, Join: ", ", Label: text("Phone number", "Телефон", "Телефон нөмірі")},
		{Field: inbox.FieldBirth, Type: TypeDate, Max: 10, Label: text("Date of birth", "Дата рождения", "Туған күні")},
		{Field: inbox.FieldGender, Type: TypeGender, Max: 50, Label: text("Gender", "Пол", "Жынысы")},
		{Field: inbox.FieldNationality, Max: 100, Join: ", ", Label: text("Nationality", "Гражданство", "Азаматтығы")},
		{Field: inbox.FieldLocation, Max: 200, Join: ", ", Label: text("Location", "Местоположение", "Орналасқан жері")},
		{Field: inbox.FieldAddress, Type: TypeLines, Max: 500, Join: "\n", Label: text("Postal address", "Почтовый адрес", "Пошталық мекенжайы")},
		{Field: inbox.FieldOccupation, Max: 200, Join: ", ", Label: text("Occupation", "Род занятий", "Кәсібі")},
		{Field: inbox.FieldAbout, Type: TypeLines, Max: 4000, Join: "\n", Label: text("About me", "О себе", "Өзім туралы")},
	}
}

func visits() Place {
	return Place{
		Name:  PlaceVisits,
		Label: text("Visits to the site", "Посещения сайта", "Сайтқа кірулер"),
		Purpose: text("to keep you signed in, to protect accounts, and to see how the site is used",
			"чтобы вам не приходилось входить заново, чтобы защищать аккаунты и понимать, как пользуются сайтом",
			"қайта-қайта кірмеуіңіз үшін, аккаунттарды қорғау және сайттың қалай пайдаланылатынын түсіну үшін"),
		Retention: text("until the account is deleted", "пока аккаунт не удалён", "аккаунт жойылғанға дейін"),

		Recipients: recipients,
		Columns: []Column{
			{Field: ColumnAt, Fixed: true, Label: text("Time", "Время", "Уақыты")},
			{Field: ColumnIP, Fixed: true, Label: text("IP address", "IP-адрес", "IP-мекенжай")},
			{Field: ColumnAgent, Fixed: true, Label: text("Browser", "Браузер", "Браузер")},
			{Field: ColumnPage, Fixed: true, Label: text("Page", "Страница", "Бет")},
			{Field: ColumnCookie, Fixed: true, Label: text("Cookie", "Файл cookie", "Cookie файлы")},
		},
	}
}

// cases describes what supportd itself holds: the letters and what came of them.
var cases = Place{
	Name:  CasesPlace,
	Label: text("Mails to support", "Письма в поддержку", "Қолдау қызметіне жазылған хаттар"),
	Purpose: text("to answer you, and to be able to show how your request was handled",
		"чтобы ответить вам и подтвердить, как был выполнен ваш запрос",
		"сізге жауап беру және өтінішіңіздің қалай орындалғанын растау үшін"),
	Retention: text("for a limited time after the request is closed",
		"ограниченное время после завершения обращения",
		"өтініш жабылғаннан кейін шектеулі уақыт"),
	Recipients: text("only our support staff", "только сотрудникам нашей поддержки", "тек қолдау қызметіміздің мамандарына"),
}
