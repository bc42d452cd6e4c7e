// Package staff knows who the staff are: their accounts, roles and rights,
// their passwords, and who of them is signed in.
package staff
