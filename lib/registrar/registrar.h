// registrar: REGISTER (RFC 3261 10.3), from credentials that passed to the bindings in the table.
#ifndef REGISTRAR_REGISTRAR_H
#define REGISTRAR_REGISTRAR_H

#include "role/request.h"

// Sets the verdict. By the worker that owns the address of record.
void registrar_serve(struct role_request *request);

#endif
