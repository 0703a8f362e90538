// @ts-check
// Runs before anything is drawn, so that the page never shows the wrong language or theme first.
(() => {
  const root = document.documentElement;
  const remembered = () => {
    try {
      return localStorage.getItem("emoscope-language");
    } catch {
      return null; // storage may be forbidden
    }
  };
  const asked = new URLSearchParams(location.search).get("lang");
  const known = (/** @type {string | null} */ language) => (language === "zh" || language === "en" ? language : null);
  const language = known(asked) || known(remembered()) || root.dataset.lang || "en";
  root.dataset.lang = language;
  root.lang = language === "zh" ? "zh-CN" : "en";

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => root.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", follow);
  follow();

  // Addresses of earlier versions, which named views and runs behind a "#".
  const old = /^#(run=(.+)|runs|many|live)$/.exec(location.hash);
  if (old) {
    const path = old[2] ? `r/${old[2]}` : { runs: "history", many: "batch", live: "live" }[old[1]];
    location.replace(`${root.dataset.root}/${path}${location.search}`);
  }
})();
