// Cards dragged with mouse, pen or finger onto another stem.

import { root } from "./host.js";

const THRESHOLD = 6; // px, below which a press is a click

// Call `drop(element)` for the element that matches `target` under the pointer at the end.
export function makeDraggable(card, target, drop) {
  card.addEventListener("pointerdown", (down) => {
    if (down.button !== 0) return;
    let ghost = null;
    let over = null;
    const move = (event) => {
      const [x, y] = [event.clientX - down.clientX, event.clientY - down.clientY];
      if (!ghost && Math.hypot(x, y) < THRESHOLD) return;
      ghost ??= lift(card);
      ghost.style.transform = `translate(${x}px, ${y}px)`;
      over?.classList.remove("over");
      over = root.elementFromPoint(event.clientX, event.clientY)?.closest(target) ?? null;
      over?.classList.add("over");
    };
    const end = (event) => {
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", end);
      document.removeEventListener("pointercancel", end);
      over?.classList.remove("over");
      card.classList.remove("lifted");
      if (!ghost) return;
      ghost.remove();
      swallowClick();
      if (over && event.type === "pointerup") drop(over);
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", end);
    document.addEventListener("pointercancel", end);
  });
}

// Copy of a card that follows the pointer.
function lift(card) {
  const box = card.getBoundingClientRect();
  const ghost = card.cloneNode(true);
  const copies = ghost.querySelectorAll("canvas");
  card.querySelectorAll("canvas").forEach((canvas, i) => {
    copies[i].getContext("2d").drawImage(canvas, 0, 0);
  });
  ghost.classList.add("ghost");
  ghost.setAttribute("aria-hidden", "true");
  ghost.style.width = `${box.width}px`;
  ghost.style.left = "0";
  ghost.style.top = "0";
  card.parentElement.append(ghost);
  // Where an ancestor is transformed, fixed positions do not count from the corner of the window.
  const origin = ghost.getBoundingClientRect();
  ghost.style.left = `${box.left - origin.left}px`;
  ghost.style.top = `${box.top - origin.top}px`;
  card.classList.add("lifted");
  return ghost;
}

// The click that ends a drag is not meant for the card.
function swallowClick() {
  const stop = (event) => {
    event.stopPropagation();
    event.preventDefault();
  };
  document.addEventListener("click", stop, { capture: true, once: true });
  setTimeout(() => document.removeEventListener("click", stop, { capture: true }), 0);
}
