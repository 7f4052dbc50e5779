// SPDX-License-Identifier: Apache-2.0
// What a page gains with JavaScript: it follows events, its log grows, commands can be copied. All of it works without.
(() => {
  "use strict";

  function addCopyButtons() {
    for (const block of document.querySelectorAll("[data-copy]")) {
      if (block.querySelector(".copy") || !navigator.clipboard) continue;
      const text = block.textContent;
      const button = document.createElement("button");
      button.className = "copy";
      button.type = "button";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
      block.prepend(button);
    }
  }

  // The same page again, its <main> taken over; what the reader opened or typed stays.
  let reloading = false;
  let again = false;
  async function reload() {
    if (reloading) { again = true; return; }
    reloading = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok) {
        const next = new DOMParser().parseFromString(await answer.text(), "text/html");
        const main = document.querySelector("main");
        const focus = document.activeElement;
        if (!main.contains(focus) || !/^(INPUT|SELECT)$/.test(focus.tagName)) {
          const log = main.querySelector(".log");
          const atEnd = !log || log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
          const top = log ? log.scrollTop : 0;
          const open = new Map([...main.querySelectorAll("details")].map((d, i) => [i, d.open]));
          const count = open.size;
          const after = next.querySelector("main");
          const details = after.querySelectorAll("details");
          if (details.length === count) details.forEach((d, i) => { d.open = open.get(i); });
          main.replaceWith(after);
          document.title = next.title;
          document.body.dataset.events = next.body.dataset.events;
          decoder = new TextDecoder();
          const newLog = after.querySelector(".log");
          if (newLog) newLog.scrollTop = atEnd ? newLog.scrollHeight : top;
          addCopyButtons();
          if (!document.body.dataset.events && source) { source.close(); source = null; }
        }
      }
    } finally {
      reloading = false;
      if (again) { again = false; setTimeout(reload, 500); }
    }
  }

  // The log of a running job grows by byte ranges. Each asks for one byte that is here already, so that "nothing new" is
  // an ordinary answer and no error in the console.
  let decoder = new TextDecoder();
  async function growLog() {
    const log = document.querySelector(".log[data-log]");
    if (!log || !log.dataset.log || document.hidden) return;
    const size = Number(log.dataset.size);
    const answer = await fetch(log.dataset.log, { headers: { Range: `bytes=${Math.max(size - 1, 0)}-${size + 262143}` } });
    if (answer.status !== 206) return;
    const bytes = (await answer.arrayBuffer()).slice(size > 0 ? 1 : 0);
    if (bytes.byteLength === 0 || Number(log.dataset.size) !== size) return;
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
    const text = decoder.decode(bytes, { stream: true }).replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, "").replace(/\r/g, "");
    log.append(text);
    log.dataset.size = String(size + bytes.byteLength);
    while (log.childNodes.length > 400) log.firstChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  let source = null;
  function follow() {
    const events = document.body.dataset.events;
    if (!events || !window.EventSource) return;
    source = new EventSource(events);
    let pending = 0;
    source.addEventListener("run", () => {
      clearTimeout(pending);
      pending = setTimeout(reload, 200);
    });
    setInterval(() => { growLog().catch(() => {}); }, 1000);
  }

  const log = document.querySelector(".log");
  if (log) log.scrollTop = log.scrollHeight;
  addCopyButtons();
  follow();
})();
