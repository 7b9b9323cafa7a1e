import { createPinia } from 'pinia'
import { createApp } from 'vue'

import App from './App.vue'
import { i18n, setLocale } from './i18n'
import { hasNewerPage } from './lib/newerPage'
import { Api } from './protocol/http/api'
import { HttpClient } from './protocol/http/client'
import { makeRouter } from './router'
import { provideApi } from './services'
import { usePreferences } from './stores/preferences'
import { useSession } from './stores/session'
import { useToasts } from './stores/toasts'
import './styles/index.css'

async function start(): Promise<void> {
  const app = createApp(App)
  const http = new HttpClient()
  provideApi(app, new Api(http))
  app.use(createPinia()).use(i18n)

  const session = app.runWithContext(() => useSession())
  /** A page that does not come: it is of a version that the server has no more, or there is no line. */
  const stuck = async (path: string): Promise<void> => {
    const newer = await hasNewerPage(path).catch(() => false)
    if (newer) location.assign(path)
    else app.runWithContext(() => useToasts()).show(i18n.global.t('problems.page_not_loaded'), 'problem')
  }
  const router = makeRouter(
    async () => {
      await session.load().catch(() => undefined)
      return session.current !== null
    },
    (path) => void stuck(path),
  )
  http.onSignedOut = () => {
    if (!session.current) return
    session.forget()
    void router.replace({
      name: 'sign-in',
      query: { next: router.currentRoute.value.fullPath, expired: '1' },
    })
  }
  app.use(router)
  await setLocale(usePreferences().locale)
  app.mount('#app')
}

void start()
