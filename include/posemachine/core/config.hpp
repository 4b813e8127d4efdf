// What a build of the library is: its version and the choices that change its types or behaviour.
#pragma once

#define POSEMACHINE_VERSION_MAJOR 0
#define POSEMACHINE_VERSION_MINOR 1
#define POSEMACHINE_VERSION_PATCH 0

// Every choice that changes what a function does is part of the inline namespace's name, so that translation units
// built with different choices fail to link instead of misbehaving.
#if defined(POSEMACHINE_IMAGE_STB)
#define POSEMACHINE_BUILD v0_stb
#else
#define POSEMACHINE_BUILD v0
#endif
