"""What machine it is."""

from __future__ import annotations

from gpu_proof_steps.asked import Result, Scale, nvidia

GL_FACTS = (
    "GL_VENDOR", "GL_RENDERER", "GL_VERSION", "GL_MAX_TEXTURE_SIZE", "GL_MAX_UNIFORM_BLOCK_SIZE",
    "GL_MAX_DRAW_BUFFERS", "GL_MAX_TEXTURE_IMAGE_UNITS", "GL_MAX_SHADER_STORAGE_BLOCK_SIZE",
    "GL_MAX_COMPUTE_WORK_GROUP_INVOCATIONS",
)  # fmt: skip


def machine(scale: Scale) -> Result:
    import onnxruntime

    from stylizer.app.doctor import examine
    from stylizer.style.gl.thread import GlThread
    from stylizer.system.machine import machine as described

    thread = GlThread()
    try:
        info = thread.run(lambda: dict(thread.context.info))
    finally:
        thread.close()
    return {
        "machine": described(thread.renderer),
        "gl": {name: info.get(name) for name in GL_FACTS},
        "nvidia": nvidia("name,driver_version,memory.total,compute_cap"),
        "onnxruntime": [onnxruntime.__version__, *onnxruntime.get_available_providers()],
        "doctor": [finding.as_dict() for finding in examine()],
    }
