export type Theme = 'auto' | 'light' | 'dark';
const KEY = 'capstan.theme';
const ORDER: readonly Theme[] = ['auto', 'light', 'dark'];

export function storedTheme(): Theme {
  const stored = localStorage.getItem(KEY);
  return ORDER.find((theme) => theme === stored) ?? 'auto';
}

/** Puts the theme on the document and remembers it. `auto` follows the system. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
  localStorage.setItem(KEY, theme);
}

export function nextTheme(theme: Theme): Theme {
  return ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length]!;
}
