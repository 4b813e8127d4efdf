// What a build of the library is: its version and the choices that change its types or behaviour.
#pragma once

#define POSEMACHINE_VERSION_MAJOR 0
#define POSEMACHINE_VERSION_MINOR 1
#define POSEMACHINE_VERSION_PATCH 0

// Every choice that changes what a function does or where it is defined is part of the inline namespace's name, so that
// translation units built with different choices fail to link instead of misbehaving.
#if defined(POSEMACHINE_COMPILED) && defined(POSEMACHINE_IMAGE_STB)
#define POSEMACHINE_BUILD v0_compiled_stb
#elif defined(POSEMACHINE_COMPILED)
#define POSEMACHINE_BUILD v0_compiled
#elif defined(POSEMACHINE_IMAGE_STB)
#define POSEMACHINE_BUILD v0_stb
#else
#define POSEMACHINE_BUILD v0
#endif

// Begins the definitions in .ipp files: inline where headers include them, nothing where the library's sources do.
#if defined(POSEMACHINE_COMPILED)
#define POSEMACHINE_INLINE
#else
#define POSEMACHINE_INLINE inline
#endif
