// dash.js - makes the pages better, never necessary: news without reloading, questions before what cannot be undone.
'use strict';

(() => {
  // Asks before a form whose button wants it, and keeps a second click from sending it twice.
  document.addEventListener('submit', (event) => {
    const question = event.submitter && event.submitter.dataset.confirm;
    if (question && !window.confirm(question)) { event.preventDefault(); return; }
    const form = event.target;
    if (form.method !== 'post') return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = '1';
    window.setTimeout(() => { delete form.dataset.sent; }, 5000);
  });
  window.addEventListener('pageshow', () => { for (const form of document.forms) delete form.dataset.sent; });

  const seconds = Number(document.body.dataset.live || 0);
  if (!seconds) return;

  // What a person is busy with stays as it is.
  const busy = (part) => part.contains(document.activeElement) && document.activeElement !== document.body
    || part.querySelector('details[open]') !== null;

  let failures = 0;
  async function look() {
    const url = new URL(window.location.href);
    url.searchParams.delete('feito');
    const answer = await fetch(url, { credentials: 'same-origin', headers: { Accept: 'text/html' } });
    if (answer.redirected) { window.location.reload(); return; } // signed out meanwhile
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const part of document.querySelectorAll('[data-part]')) {
      const news = page.getElementById(part.id);
      if (!news || busy(part) || news.innerHTML === part.innerHTML) continue;
      part.replaceChildren(...document.importNode(news, true).childNodes);
    }
    const live = Number(page.body.dataset.live || 0);
    return live > 0;
  }

  // One look at a time; a hidden tab waits until it is seen again; failures make the pauses longer.
  let timer = 0;
  async function turn() {
    timer = 0;
    if (document.hidden) return;
    let more = true;
    try { more = await look(); failures = 0; } catch { failures = Math.min(failures + 1, 6); }
    if (more !== false) plan();
  }
  function plan() { if (!timer) timer = window.setTimeout(turn, seconds * 1000 * 2 ** failures); }
  document.addEventListener('visibilitychange', () => { if (!document.hidden && !timer) turn(); });
  plan();
})();
