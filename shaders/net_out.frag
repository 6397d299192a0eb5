#version 330
// The network's last tensor as a picture: group g of a pixel block is a pixel of it. `side` pixels
// of a block in a row lie one under the other, or all in one row where `side` is their number.
// Layout of a tensor: see net_conv.glsl.
uniform usampler2D planes[PLANES];
uniform ivec2 block;  // pixels of a block: across, down
uniform int width;    // of a tile
out vec4 picture;

void main() {
    ivec2 here = ivec2(gl_FragCoord.xy), inside = here % block;
    int group = inside.y * block.x + inside.x, plane = group % PLANES;
    ivec2 at = here / block + ivec2(group / PLANES * width, 0);
    uvec4 value = texelFetch(planes[0], at, 0);
#if PLANES > 1
    if (plane == 1) value = texelFetch(planes[1], at, 0);
#endif
#if PLANES > 2
    if (plane == 2) value = texelFetch(planes[2], at, 0);
#endif
#if PLANES > 3
    if (plane == 3) value = texelFetch(planes[3], at, 0);
#endif
#if PLANES > 4
    if (plane == 4) value = texelFetch(planes[4], at, 0);
#endif
#if PLANES > 5
    if (plane == 5) value = texelFetch(planes[5], at, 0);
#endif
    picture = vec4(value) / 255.0;
}
