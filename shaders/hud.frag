#version 330
uniform sampler2D atlas;
in vec2 at;
in vec4 tint;
out vec4 shown;

void main() {
    shown = tint * texture(atlas, at);
}
