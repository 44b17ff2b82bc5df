// Refuses threads: after FEW_THREADS more, where that is set while a process runs.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef int (*Create)(pthread_t*, const pthread_attr_t*, void* (*)(void*),
                      void*);

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                   void* (*start)(void*), void* argument) {
  static atomic_int made = 0;
  static Create create = NULL;
  const char* most = getenv("FEW_THREADS");
  if (create == NULL) create = (Create)dlsym(RTLD_NEXT, "pthread_create");
  if (most != NULL && atomic_fetch_add(&made, 1) >= atoi(most)) return EAGAIN;
  return create(thread, attributes, start, argument);
}
