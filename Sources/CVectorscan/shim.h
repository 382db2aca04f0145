#ifndef APUS_CVECTORSCAN_SHIM_H
#define APUS_CVECTORSCAN_SHIM_H

#include <hs/hs.h>

#endif
