// Connection of the report with a model in Python: groups, power of the masks, divergence and rank.

const WAIT = 400; // ms after the last movement of a slider
const SLIDERS = [["mask-power", "mask_power"], ["beta", "beta"], ["n-components", "n_components"]];

function render({ model, el }) {
  el.dataset.lmSuppressShortcuts = "true"; // of JupyterLab, while the focus is inside
  const root = el.shadowRoot ?? el.attachShadow({ mode: "open" });
  const style = new CSSStyleSheet();
  style.replaceSync(STYLE);
  root.adoptedStyleSheets = [style];
  const frame = document.createElement("div");
  frame.className = "report";
  const stop = (event) => event.stopPropagation();
  el.addEventListener("keydown", stop);
  root.replaceChildren(frame);
  let parts = null;
  let ending = new AbortController();

  function open() {
    const before = parts && remembered(parts, root);
    close();
    ending = new AbortController();
    frame.innerHTML = CONTENT;
    parts = openReport(root, frame, model.get("report"), ending.signal);
    if (before) restore(parts, root, before);
    parts.groups.addEventListener("change", (event) => {
      if (event.detail === "mix") return;
      model.set("groups", parts.groups.json());
      model.save_changes();
    });
    setUpSliders(model, root);
    showState();
    el.nmfaudioReport = parts;
  }

  function close() {
    ending.abort();
    if (!parts) return;
    if (parts.player.playing) parts.player.halt();
    parts.player.context?.close();
    parts = null;
  }

  function showState() {
    const problem = model.get("problem");
    frame.classList.toggle("working", model.get("working"));
    root.getElementById("model-state").textContent = model.get("working") ? "Computing …" : model.get("remark");
    root.getElementById("problem").textContent = problem;
    root.getElementById("problem").hidden = problem === "";
  }

  function showTheme() {
    frame.classList.toggle("dark", isDark());
    parts?.redraw();
  }

  const themes = new MutationObserver(showTheme);
  themes.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light"] });
  showTheme();
  model.on("change:report", open);
  for (const name of ["working", "remark", "problem"]) model.on(`change:${name}`, showState);
  open();
  return () => {
    themes.disconnect();
    el.removeEventListener("keydown", stop);
    model.off("change:report", open);
    for (const name of ["working", "remark", "problem"]) model.off(`change:${name}`, showState);
    close();
  };
}

function setUpSliders(model, root) {
  for (const refit of root.querySelectorAll(".refit")) refit.hidden = !model.get("can_refit");
  for (const [id, trait] of SLIDERS) {
    const slider = root.getElementById(id);
    const show = () => {
      slider.nextElementSibling.textContent = slider.value;
    };
    slider.value = model.get(trait);
    show();
    let timer = null;
    slider.addEventListener("input", () => {
      show();
      clearTimeout(timer);
      timer = setTimeout(() => {
        model.set(trait, Number(slider.value));
        model.save_changes();
      }, WAIT);
    });
  }
}

// The state of the player and the mixer outlives new stems.
function remembered({ groups, player, mixer, figure }, root) {
  const mix = groups.stems.map(({ name, solo, mute, gain }) => [name, { solo, mute, gain }]);
  const { position, playing, loop } = player;
  const focus = root.activeElement?.dataset.focus ?? root.activeElement?.id;
  return { mix: new Map(mix), position, playing, loop, mixture: mixer.mixture, chosen: figure.chosen, focus };
}

function restore({ groups, player, mixer, figure, cards }, root, before) {
  groups.stems.forEach((stem, i) => groups.set(i, before.mix.get(stem.name) ?? {}));
  player.offset = before.position;
  player.setLoop(before.loop);
  mixer.setMixture(before.mixture);
  if (cards.components.has(before.chosen)) cards.choose(before.chosen);
  const focused = before.focus && root.querySelector(`[data-focus="${CSS.escape(before.focus)}"], #${CSS.escape(before.focus)}`);
  focused?.focus({ preventScroll: true });
  if (before.playing) mixer.play();
}

function isDark() {
  const { jpThemeLight } = document.body.dataset;
  if (jpThemeLight !== undefined) return jpThemeLight === "false";
  if (document.body.classList.contains("vscode-dark")) return true;
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

export default { render };
