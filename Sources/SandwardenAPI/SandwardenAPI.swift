// The REST surface: routes, request and reply bodies, errors to status codes. It decides nothing itself.
