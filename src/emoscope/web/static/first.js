// @ts-check
// Runs before anything is drawn, so that the page never shows the wrong language first.
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
  const spoken = (navigator.language || "").toLowerCase().startsWith("zh") ? "zh" : "en";
  const known = (/** @type {string | null} */ language) => (language === "zh" || language === "en" ? language : null);
  const language = known(asked) || known(remembered()) || spoken;
  root.dataset.lang = language;
  root.lang = language === "zh" ? "zh-CN" : "en";
  const hash = location.hash.slice(1);
  root.dataset.view = ["many", "live"].includes(hash) ? hash : /^runs?(=|$)/.test(hash) ? "runs" : "one";
})();
