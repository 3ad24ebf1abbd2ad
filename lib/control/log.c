#include "control/log.h"

RTE_LOG_REGISTER(control_logtype, strowger.control, INFO);
