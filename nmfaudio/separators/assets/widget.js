// Widget of stems: each has a player and its components, which are dragged or moved by a menu.

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function render({ model, el }) {
  const audition = new Audio();
  const list = element("div", { class: "nmfaudio-stems" });
  const remark = element("p", { class: "nmfaudio-remark", role: "status" });
  const sounds = new Map(model.get("components"));
  const power = element("input", { type: "range", min: "0.25", max: "4", step: "0.25" });
  const shownPower = element("output");
  const label = element("label", { class: "nmfaudio-power" }, "Power of the masks ", power, shownPower);
  el.append(element("div", { class: "nmfaudio-widget" }, list, label, remark));

  function move(k, target) {
    if (model.get("groups")[target].includes(k)) return;
    const groups = Object.entries(model.get("groups")).map(([name, members]) => {
      const others = members.filter((each) => each !== k);
      return [name, name === target ? [...others, k].sort((a, b) => a - b) : others];
    });
    remark.textContent = "Computing …";
    model.set("groups", Object.fromEntries(groups));
    model.save_changes();
  }

  function card(k, stem, names) {
    const options = names.map((name) => {
      return element("option", { value: name, selected: name === stem }, name);
    });
    const play = () => {
      audition.src = sounds.get(k);
      audition.play();
    };
    return element(
      "span",
      {
        class: "nmfaudio-card",
        draggable: "true",
        ondragstart: (event) => event.dataTransfer.setData("text/plain", String(k)),
      },
      element("button", { type: "button", onclick: play, "aria-label": `Play component ${k}` }, `▶ ${k}`),
      element(
        "select",
        { "aria-label": `Stem of component ${k}`, onchange: (event) => move(k, event.target.value) },
        ...options,
      ),
    );
  }

  function player(name, source) {
    const audio = element("audio", { controls: true, "aria-label": name });
    if (source) audio.src = source;
    return element("div", { class: "nmfaudio-head" }, element("strong", {}, name), audio);
  }

  function drawStems() {
    const groups = model.get("groups");
    const names = Object.keys(groups);
    const rows = names.map((name) => {
      const cards = groups[name].map((k) => card(k, name, names));
      return element(
        "section",
        {
          "aria-label": name,
          ondragover: (event) => event.preventDefault(),
          ondrop: (event) => {
            event.preventDefault();
            const k = Number(event.dataTransfer.getData("text/plain"));
            if (sounds.has(k)) move(k, name);
          },
        },
        player(name, model.get("sounds")[name]),
        element("div", { class: "nmfaudio-cards" }, ...cards),
      );
    });
    list.replaceChildren(element("section", {}, player("mixture", model.get("mixture"))), ...rows);
  }

  function drawResult() {
    drawStems();
    drawText();
  }

  function drawText() {
    remark.textContent = model.get("problem") || model.get("remark");
  }

  function drawPower() {
    power.value = String(model.get("mask_power"));
    shownPower.textContent = String(model.get("mask_power"));
  }

  power.addEventListener("input", () => (shownPower.textContent = power.value));
  power.addEventListener("change", () => {
    remark.textContent = "Computing …";
    model.set("mask_power", Number(power.value));
    model.save_changes();
  });
  const listeners = [
    ["change:groups", drawStems],
    ["change:sounds", drawResult],
    ["change:mask_power", drawPower],
    ["change:remark", drawText],
    ["change:problem", drawText],
  ];
  for (const [event, listener] of listeners) model.on(event, listener);
  drawResult();
  drawPower();
  return () => {
    audition.pause();
    for (const [event, listener] of listeners) model.off(event, listener);
  };
}

export default { render };
