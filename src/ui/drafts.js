addEventListener('submit', ({ target }) => target.querySelector('[data-draft]')?.removeAttribute('data-draft'));
addEventListener('pagehide', () => {
  const field = document.querySelector('[data-draft]');
  const typed = field?.value;
  if (!typed?.trim()) return;
  const key = field.dataset.draft, draft = localStorage.getItem(key) ?? '';
  localStorage.setItem(key, draft && !typed.startsWith(draft) ? `${draft}\n${typed}` : typed);
});
