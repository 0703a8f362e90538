// Rules for the page's JavaScript: what is wrong, not how it looks.
import js from "@eslint/js";
import globals from "globals";

const rules = {
  ...js.configs.recommended.rules,
  complexity: ["error", 10],
  curly: ["error", "multi-line"],
  eqeqeq: ["error", "always", { null: "ignore" }],
  "no-implicit-globals": "error",
  "no-shadow": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
};

const page = "src/emoscope/web";

export default [
  { ignores: ["node_modules/", ".venv/", "**/outputs/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: [`${page}/static/*.js`],
    rules,
    languageOptions: { sourceType: "module", globals: globals.browser },
  },
  {
    files: [`${page}/static/pcm.js`], // runs beside the sound card, where there is no page
    languageOptions: { globals: globals.audioWorklet },
  },
  {
    files: [`${page}/static/first.js`],
    rules,
    languageOptions: { sourceType: "script", globals: globals.browser },
  },
  {
    files: ["tests/js/**/*.js", "eslint.config.js"],
    rules,
    languageOptions: { sourceType: "module", globals: globals.node },
  },
];
