// The quantized sum of two tensors. With SPREAD the first one has half the size and four times the
// channels: the four pixels of a square are four of its tiles. As net_add.frag, by multiplication.
vec4 hook() {
    ivec2 size = tile_size(SHRINK);
    ivec2 here = ivec2(HOOKED_pos * vec2(size * ivec2(ACROSS, DOWN)));
    ivec2 own = here;
#if defined(SPREAD)
    ivec2 pixel = here % size;
    int place = (pixel.y & 1) * 2 + (pixel.x & 1);
    int tile = here.y / size.y * ACROSS + here.x / size.x;
    own = pixel / 2 + tile_at(place * TILES + tile, FROM_ACROSS, size / 2);
#endif
    vec4 first = whole(texelFetch(FROM, own, 0)), second = whole(texelFetch(OTHER, here, 0));
    return rounded(first * OWN_RATIO + (second * OTHER_RATIO + FIXED)) / 255.0;
}
