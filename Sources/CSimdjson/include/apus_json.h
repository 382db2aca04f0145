#ifndef APUS_JSON_H
#define APUS_JSON_H
#endif
