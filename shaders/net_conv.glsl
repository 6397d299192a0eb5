#version 330
// One convolution of the integer network, its edge repeated, rounded as ONNX Runtime's QLinearConv
// does it; with ADD also the quantized sum with another tensor.
//
// A tensor lies in PLANES (of the output: TARGETS) textures of one size. Each has a tile for every
// group of four channels that it holds, side by side. One draw fills one tile of all targets, so
// that a value once fetched serves TARGETS groups. All sums are whole numbers below 2^24, which
// float32 holds exactly; with SPLIT only those of one tap are, and whole sums are integers.
//
// PLANES, TARGETS, COUNT (matrices of one tile), BESIDE: see network.py. Loops have uniform bounds:
// unrolled by the driver, this took 12 s to compile.
//
// With COMPUTE (OpenGL 4.3) a work group fetches what its 8 x 8 pixels read once, PATCH x PATCH of
// them, and its threads share it; with HALFS it lies there as packed half floats.
struct Set {       // where what is read lies
    ivec2 size;    // of one tile, in pixels
    ivec2 last;    // texel of the textures, for a picture whose last block is not whole
    ivec2 step;    // from pixel to pixel, in texels
    ivec2 span;    // from tile to tile
    int across;    // tiles in a row
    int tiles;
    int planes;
};
uniform Set first;
#ifdef RAW
uniform sampler2D planes[PLANES];
#else
uniform usampler2D planes[PLANES];
#endif
#ifdef BESIDE
uniform Set second;
uniform sampler2D beside;
#endif
#ifdef ADD
uniform usampler2D others[TARGETS];
uniform usampler2D table;  // (own value, the other one) -> their sum
#endif
uniform int left;          // of the tile that is drawn
uniform int side, stride;  // of the kernel
uniform float zero;        // zero point of the output
layout(std140) uniform Layer {
    mat4 weight[COUNT];    // [tap][set][tile][plane][target], column: channel read
    vec4 bias[TARGETS];
    vec4 scale[TARGETS];
};
#ifdef COMPUTE
#define SIDE 8
layout(local_size_x = SIDE, local_size_y = SIDE) in;
layout(binding = 0, rgba8ui) writeonly uniform uimage2D results[TARGETS];
uniform ivec2 size;        // of the tile that is drawn
#ifdef HALFS
// Whole numbers up to 2048 are exact in half floats: half the memory, and not a bit is lost.
#define KEPT uvec2
#define KEEP(value) uvec2(packHalf2x16(value.xy), packHalf2x16(value.zw))
#define TAKE(kept) vec4(unpackHalf2x16(kept.x), unpackHalf2x16(kept.y))
#else
#define KEPT vec4
#define KEEP(value) value
#define TAKE(kept) kept
#endif
shared KEPT patch_values[PLANES * PATCH * PATCH];
#else
layout(location = 0) out uvec4 result[TARGETS];
#endif

vec4 sums[TARGETS];
int at_weight = 0;

ivec2 texel(Set set, ivec2 pixel, int tile) {
    ivec2 inside = clamp(pixel, ivec2(0), set.size - 1);
    ivec2 tile_at = ivec2(tile % set.across, tile / set.across);
    return min(inside * set.step + tile_at * set.span, set.last);
}

void add(vec4 value) {
    for (int o = 0; o < TARGETS; ++o) sums[o] += weight[at_weight + o] * value;
    at_weight += TARGETS;
}

#ifdef RAW
#define FETCH(plane) value = round(texelFetch(planes[plane], at, 0) * 255.0)
#else
#define FETCH(plane) value = vec4(texelFetch(planes[plane], at, 0))
#endif

// Samplers cannot be indexed in a loop. A branch that is the same for all pixels costs a GPU little.
vec4 fetched(ivec2 at, int plane) {
    vec4 value;
    if (plane == 0) FETCH(0);
#if PLANES > 1
    if (plane == 1) FETCH(1);
#endif
#if PLANES > 2
    if (plane == 2) FETCH(2);
#endif
#if PLANES > 3
    if (plane == 3) FETCH(3);
#endif
#if PLANES > 4
    if (plane == 4) FETCH(4);
#endif
#if PLANES > 5
    if (plane == 5) FETCH(5);
#endif
    return value;
}

#ifdef COMPUTE
// One tile of what is read, for all planes; row and column of a tap count from the patch's corner.
void share(ivec2 corner, int tile) {
    barrier();
    for (int i = int(gl_LocalInvocationIndex); i < PATCH * PATCH; i += SIDE * SIDE) {
        ivec2 at = texel(first, corner + ivec2(i % PATCH, i / PATCH), tile);
        for (int plane = 0; plane < first.planes; ++plane) {
            vec4 value = fetched(at, plane);
            patch_values[plane * PATCH * PATCH + i] = KEEP(value);
        }
    }
    barrier();
}

void convolve(ivec2 pixel) {
    ivec2 inside = ivec2(gl_LocalInvocationID.xy) * stride;
    ivec2 corner = (pixel - ivec2(gl_LocalInvocationID.xy)) * stride - side / 2;
    int groups = first.tiles * first.planes;
    for (int t = 0; t < first.tiles; ++t) {
        share(corner, t);
        for (int y = 0; y < side; ++y) {
            for (int x = 0; x < side; ++x) {
                int at = (inside.y + y) * PATCH + inside.x + x;
                at_weight = ((y * side + x) * groups + t * first.planes) * TARGETS;
                for (int plane = 0; plane < first.planes; ++plane) {
                    KEPT kept = patch_values[plane * PATCH * PATCH + at];
                    add(TAKE(kept));
                }
            }
        }
    }
}
#else
void tap(ivec2 pixel) {
    for (int t = 0; t < first.tiles; ++t) {
        ivec2 at = texel(first, pixel, t);
        for (int plane = 0; plane < first.planes; ++plane) add(fetched(at, plane));
    }
#ifdef BESIDE
    for (int t = 0; t < second.tiles; ++t) {
        add(round(texelFetch(beside, texel(second, pixel, t), 0) * 255.0));
    }
#endif
}
#endif

#ifdef ADD
vec4 added(vec4 own, uvec4 other) {
    ivec4 x = ivec4(own), y = ivec4(other);
    return vec4(
        texelFetch(table, ivec2(y.r, x.r), 0).r, texelFetch(table, ivec2(y.g, x.g), 0).r,
        texelFetch(table, ivec2(y.b, x.b), 0).r, texelFetch(table, ivec2(y.a, x.a), 0).r
    );
}
#endif

vec4 rounded(int o, vec4 sum) {
    return clamp(roundEven(sum * scale[o]) + zero, 0.0, 255.0);
}

void main() {
#ifdef COMPUTE
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy), here = pixel + ivec2(left, 0);
#else
    ivec2 here = ivec2(gl_FragCoord.xy), pixel = here - ivec2(left, 0);
#endif
    vec4 whole[TARGETS];
    for (int o = 0; o < TARGETS; ++o) sums[o] = vec4(0.0);
#ifdef SPLIT
    ivec4 totals[TARGETS];
    for (int o = 0; o < TARGETS; ++o) totals[o] = ivec4(bias[o]);
#endif
#ifdef COMPUTE
    convolve(pixel);
    if (any(greaterThanEqual(pixel, size))) return;
#else
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            tap(pixel * stride + ivec2(x, y) - side / 2);
#ifdef SPLIT
            for (int o = 0; o < TARGETS; ++o) {
                totals[o] += ivec4(sums[o]);
                sums[o] = vec4(0.0);
            }
#endif
        }
    }
#endif
    for (int o = 0; o < TARGETS; ++o) {
#ifdef SPLIT
        whole[o] = rounded(o, vec4(totals[o]));
#else
        whole[o] = rounded(o, sums[o] + bias[o]);
#endif
    }
#ifdef ADD
    whole[0] = added(whole[0], texelFetch(others[0], here, 0));
#if TARGETS > 1
    whole[1] = added(whole[1], texelFetch(others[1], here, 0));
#endif
#if TARGETS > 2
    whole[2] = added(whole[2], texelFetch(others[2], here, 0));
#endif
#if TARGETS > 3
    whole[3] = added(whole[3], texelFetch(others[3], here, 0));
#endif
#if TARGETS > 4
    whole[4] = added(whole[4], texelFetch(others[4], here, 0));
#endif
#if TARGETS > 5
    whole[5] = added(whole[5], texelFetch(others[5], here, 0));
#endif
#endif
#ifdef COMPUTE
#define STORE(o) imageStore(results[o], here, uvec4(whole[o]))
    STORE(0);
#if TARGETS > 1
    STORE(1);
#endif
#if TARGETS > 2
    STORE(2);
#endif
#if TARGETS > 3
    STORE(3);
#endif
#if TARGETS > 4
    STORE(4);
#endif
#if TARGETS > 5
    STORE(5);
#endif
#else
    for (int o = 0; o < TARGETS; ++o) result[o] = uvec4(whole[o]);
#endif
}
