import { inject, type App, type InjectionKey } from 'vue'

import { Api } from '@/protocol/http/api'

const API: InjectionKey<Api> = Symbol('api')

export function provideApi(app: App, api: Api): void {
  app.provide(API, api)
}

/** The HTTP API, in a component's or a store's set-up. */
export function useApi(): Api {
  const api = inject(API)
  if (!api) throw new Error('No Api was provided')
  return api
}
