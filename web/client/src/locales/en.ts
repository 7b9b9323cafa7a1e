import elementPlus from 'element-plus/es/locale/lang/en.mjs'

import { namespaces } from './namespaces'

export const messages = namespaces(
  import.meta.glob<Record<string, unknown>>('@locales/en/*.json', { eager: true, import: 'default' }),
)
export { elementPlus }
