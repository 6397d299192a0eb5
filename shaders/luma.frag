#version 330
// Gray of every other row of a picture, and of that the mean of `part` pixels: to the byte what
// system/motion.py has from OpenCV on the CPU (Rec. 601 in 15 bits, rounding half to even).
uniform sampler2D picture;
uniform ivec2 part;   // across, down
uniform float share;  // 1 / pixels of a part, exact: a power of two
out float gray;

void main() {
    ivec2 corner = ivec2(gl_FragCoord.xy) * part;
    int sum = 0;
    for (int y = 0; y < part.y; ++y) {
        for (int x = 0; x < part.x; ++x) {
            ivec2 at = (corner + ivec2(x, y)) * ivec2(1, 2);
            ivec3 rgb = ivec3(round(texelFetch(picture, at, 0).rgb * 255.0));
            sum += (rgb.r * 9798 + rgb.g * 19235 + rgb.b * 3735 + 16384) >> 15;
        }
    }
    gray = roundEven(float(sum) * share) / 255.0;
}
