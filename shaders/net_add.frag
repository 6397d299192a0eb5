#version 330
// The quantized sum of two tensors, by a table of all pairs of values. With SPREAD the first one
// has half the size and four times the channels: the four pixels of a square are four of its tiles.
// Layout of a tensor: see net_conv.glsl.
uniform usampler2D planes[TARGETS];
uniform usampler2D others[TARGETS];
uniform usampler2D table;  // (own value, the other one) -> their sum
uniform int left;          // of the tile that is drawn
uniform int tile;
uniform int tiles;         // of the output
uniform int width;         // of a tile of the first tensor
layout(location = 0) out uvec4 result[TARGETS];

uvec4 added(uvec4 own, uvec4 other) {
    ivec4 x = ivec4(own), y = ivec4(other);
    return uvec4(
        texelFetch(table, ivec2(y.r, x.r), 0).r, texelFetch(table, ivec2(y.g, x.g), 0).r,
        texelFetch(table, ivec2(y.b, x.b), 0).r, texelFetch(table, ivec2(y.a, x.a), 0).r
    );
}

void main() {
    ivec2 here = ivec2(gl_FragCoord.xy), own = here;
#ifdef SPREAD
    ivec2 pixel = here - ivec2(left, 0);
    int place = (pixel.y & 1) * 2 + (pixel.x & 1);
    own = (pixel >> 1) + ivec2((place * tiles + tile) * width, 0);
#endif
#define ADDED(i) added(texelFetch(planes[i], own, 0), texelFetch(others[i], here, 0))
    result[0] = ADDED(0);
#if TARGETS > 1
    result[1] = ADDED(1);
#endif
#if TARGETS > 2
    result[2] = ADDED(2);
#endif
#if TARGETS > 3
    result[3] = ADDED(3);
#endif
#if TARGETS > 4
    result[4] = ADDED(4);
#endif
#if TARGETS > 5
    result[5] = ADDED(5);
#endif
}
