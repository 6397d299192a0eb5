// Sky, fog and sunlight of the demo scene, the same for everything in it.

const vec3 SUN = normalize(vec3(-0.52, 0.37, 0.77));
const vec3 HORIZON = vec3(0.80, 0.86, 0.90);
const vec3 ZENITH = vec3(0.26, 0.52, 0.84);
const vec3 GLOW = vec3(1.00, 0.83, 0.58);

// Color of the sky at its lower edge in the direction `d`: what far things fade into.
vec3 horizon_color(vec3 d) {
    float toward = max(dot(normalize(vec3(d.x, 0.0001, d.z)), normalize(vec3(SUN.x, 0.0, SUN.z))), 0.0);
    return mix(HORIZON, GLOW, 0.55 * toward * toward);
}

vec3 sky_color(vec3 d) {
    float up = clamp(d.y, 0.0, 1.0);
    vec3 color = mix(horizon_color(d), ZENITH, 1.0 - exp(-3.2 * up));
    float sun = max(dot(d, SUN), 0.0);
    return mix(color, GLOW, 0.45 * pow(sun, 5.0));
}

// `share` below 1 lets clouds and far peaks keep more of their color.
vec3 fogged(vec3 color, vec3 from_eye, float share) {
    float far = length(from_eye) / 900.0;
    float fog = 1.0 - exp(-far * sqrt(far) * 1.6);
    return mix(color, horizon_color(from_eye), clamp(fog * share, 0.0, 1.0));
}

vec3 lit(vec3 albedo, vec3 normal) {
    vec3 ambient = mix(vec3(0.34, 0.31, 0.30), vec3(0.50, 0.57, 0.68), normal.y * 0.5 + 0.5);
    return albedo * (ambient + vec3(0.80, 0.68, 0.48) * max(dot(normal, SUN), 0.0));
}
