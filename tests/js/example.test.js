// The page of examples/ keeps the rules of the scripts, although it stands in HTML.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import js from "@eslint/js";
import { Linter } from "eslint";
import globals from "globals";

test("the script of examples/page.html holds no fault that the linter sees", () => {
  const html = readFileSync(new URL("../../examples/page.html", import.meta.url), "utf8");
  const [, script] = /<script type="module">([\s\S]*?)<\/script>/.exec(html);
  const languageOptions = { sourceType: "module", globals: globals.browser };
  const told = new Linter().verify(script, [{ languageOptions, rules: js.configs.recommended.rules }]);
  assert.deepEqual(told.map(({ line, message }) => `${line}: ${message}`), []);
});
