import elementPlus from 'element-plus/es/locale/lang/zh-cn.mjs'

import { namespaces } from './namespaces'

export const messages = namespaces(
  import.meta.glob<Record<string, unknown>>('@locales/zh-CN/*.json', { eager: true, import: 'default' }),
)
export { elementPlus }
