import type { LocaleMessageDictionary } from 'vue-i18n'

/** Turns `.../home.json` files into one dictionary, `home.…`; a new file in locales/ needs no line here. */
export function namespaces(files: Record<string, Record<string, unknown>>): LocaleMessageDictionary<string> {
  const entries = Object.entries(files).map(([path, content]) => [
    path.replace(/^.*\/|\.json$/g, ''),
    content,
  ])
  return Object.fromEntries(entries) as LocaleMessageDictionary<string>
}
