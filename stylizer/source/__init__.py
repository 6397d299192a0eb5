"""Sources: one file a backend; see stages.Source for what each promises."""
