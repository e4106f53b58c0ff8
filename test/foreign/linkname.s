// Lets guest.go declare functions of the host that have their bodies there.
