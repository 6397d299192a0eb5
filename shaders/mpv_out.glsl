// The network's last tensor as a picture: group g of a pixel block is a pixel of it.
vec4 hook() {
    ivec2 here = ivec2(HOOKED_pos * HOOKED_size), inside = here % BLOCK;
    ivec2 tile = tile_at(inside.y * BLOCK + inside.x, FROM_ACROSS, tile_size(1));
    return vec4(texelFetch(FROM, here / BLOCK + tile, 0).rgb, HOOKED_tex(HOOKED_pos).a);
}
