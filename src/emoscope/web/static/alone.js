// @ts-check
// The picture alone: light or dark as the system says, which Gradio does on the page.

import "./timeline.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.body.classList.toggle("dark", dark.matches);
dark.addEventListener("change", follow);
follow();
