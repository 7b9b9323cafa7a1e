import { shallowRef } from 'vue'
import { createI18n } from 'vue-i18n'

import chinese from 'element-plus/es/locale/lang/zh-cn.mjs'

import type { Language } from 'element-plus/es/locale/index.mjs'

export const LOCALES = ['zh-CN', 'en'] as const
export type Locale = (typeof LOCALES)[number]

const loaders = { 'zh-CN': () => import('./locales/zh-CN'), en: () => import('./locales/en') }

export const i18n = createI18n({
  legacy: false,
  locale: 'zh-CN',
  fallbackLocale: false,
  missingWarn: false,
  fallbackWarn: false,
  messages: {},
})

/** Element Plus keeps its own texts; App.vue hands this to its configuration. */
export const elementLocale = shallowRef<Language>(chinese)

export const isLocale = (value: unknown): value is Locale => LOCALES.includes(value as Locale)

export async function setLocale(locale: Locale): Promise<void> {
  const loaded = await loaders[locale]()
  i18n.global.setLocaleMessage(locale, loaded.messages)
  i18n.global.locale.value = locale
  elementLocale.value = loaded.elementPlus
  document.documentElement.lang = locale
}
