// Keeps an open page up to date. Pages are complete without it: it only replaces parts
// of them by what the server renders anew.
"use strict";

(() => {
  const where = document.body.dataset.live;
  const state = document.getElementById("live");
  if (!where || !state || !window.EventSource) return;

  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  const text = document.createElement("span");
  text.className = "dot";
  state.append(text, " ", button);

  let source = null;
  let paused = false;

  const show = (name, label) => {
    text.dataset.state = name;
    text.textContent = label;
    button.textContent = paused ? "Go on" : "Pause";
    button.hidden = name === "over";
  };

  // morph makes one tree like another and leaves alone what is the same, so that
  // neither focus nor selection nor an opened table is lost.
  const morph = (from, to) => {
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
      from.replaceWith(to.cloneNode(true));
      return;
    }
    if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
      return;
    }
    if (from === document.activeElement && from.matches("input")) return;
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
    }
    for (const { name, value } of to.attributes) {
      if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    const [old, fresh] = [[...from.childNodes], [...to.childNodes]];
    fresh.forEach((node, i) => {
      if (i < old.length) morph(old[i], node);
      else from.append(node.cloneNode(true));
    });
    old.slice(fresh.length).forEach((node) => node.remove());
  };

  const update = (panels) => {
    const page = document.querySelector(".panels");
    for (const [id, html] of Object.entries(panels)) {
      const old = document.getElementById("p-" + id);
      if (!old) { // what was not there when the page was loaded
        location.reload();
        return;
      }
      const fresh = document.createElement("template");
      fresh.innerHTML = html;
      const copy = old.cloneNode(false);
      copy.append(fresh.content);
      morph(old, copy);
    }
    page.dataset.updates = String(Number(page.dataset.updates || 0) + 1);
  };

  const close = () => {
    if (source) source.close();
    source = null;
  };

  const open = () => {
    close();
    show("waiting", "connecting");
    source = new EventSource(where);
    source.onmessage = ({ data }) => {
      const news = JSON.parse(data);
      if (news.anew) {
        location.reload();
        return;
      }
      update(news.panels);
      document.getElementById("asof").textContent = news.at;
      show("live", "live");
    };
    source.onopen = () => show("live", "live");
    source.addEventListener("over", () => {
      close();
      show("over", "signed out: load the page again");
    });
    source.onerror = () => {
      if (source && source.readyState === EventSource.CLOSED) {
        close();
        show("over", "not kept up to date: load the page again");
      } else show("waiting", "connecting again");
    };
  };

  button.onclick = () => {
    paused = !paused;
    if (paused) {
      close();
      show("paused", "paused");
    } else open();
  };

  // A page that nobody sees costs nothing.
  document.addEventListener("visibilitychange", () => {
    if (paused) return;
    if (document.hidden) close();
    else if (!source) open();
  });
  window.addEventListener("pagehide", close);
  if (!document.hidden) open();
})();
