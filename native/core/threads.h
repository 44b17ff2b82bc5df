// How many threads tasks compute with.
#pragma once

namespace splitgrow {

// What runs on a JavaScript thread uses that thread alone: a pool of OpenMP
// threads of its own would make libgomp count more threads than processors,
// and those of the tasks would then sleep and be woken at every parallel loop.
void keepToOneThread();
void setTaskThreads(int threads);
int taskThreads();

}  // namespace splitgrow
