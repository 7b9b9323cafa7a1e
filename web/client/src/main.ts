import { createPinia } from 'pinia'
import { createApp } from 'vue'

import App from './App.vue'
import { i18n, setLocale } from './i18n'
import { Api } from './protocol/http/api'
import { HttpClient } from './protocol/http/client'
import { makeRouter } from './router'
import { provideApi } from './services'
import { usePreferences } from './stores/preferences'
import { useSession } from './stores/session'
import './styles/index.css'

async function start(): Promise<void> {
  const app = createApp(App)
  const http = new HttpClient()
  provideApi(app, new Api(http))
  app.use(createPinia()).use(i18n)

  const session = app.runWithContext(() => useSession())
  const router = makeRouter(async () => {
    await session.load().catch(() => undefined)
    return session.current !== null
  })
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
