import {
  createRouter,
  createWebHistory,
  type Router,
  type RouteLocationRaw,
  type RouteRecordRaw,
} from 'vue-router'

import { cardRoutes } from '@/views/card/routes'
import { connectionTestRoutes } from '@/views/connection-test/routes'
import { consultationRoutes } from '@/views/consultations/routes'
import { homeRoutes } from '@/views/home/routes'
import { meetingRoutes } from '@/views/meetings/routes'
import { recordingRoutes } from '@/views/recordings/routes'
import { roomRoutes } from '@/views/room/routes'
import { signInRoutes } from '@/views/sign-in/routes'

declare module 'vue-router' {
  interface RouteMeta {
    /** The page's name in the browser's title, a key of the messages. */
    title?: string
    /** Pages for everybody; all others send people to sign in first. */
    open?: boolean
    /** Fills the window itself: no header, no tabs. */
    bare?: boolean
  }
}

const routes: RouteRecordRaw[] = [
  ...signInRoutes,
  ...homeRoutes,
  ...meetingRoutes,
  ...roomRoutes,
  ...recordingRoutes,
  ...cardRoutes,
  ...consultationRoutes,
  ...connectionTestRoutes,
  {
    path: '/:path(.*)*',
    name: 'lost',
    component: () => import('@/views/LostPage.vue'),
    meta: { title: 'common.lost.title', open: true },
  },
]

/**
 * `load` asks who is signed in; a failure of the network leaves the decision to the page's own requests.
 * `stuck` is told of a page that did not come, by its address.
 */
export function makeRouter(load: () => Promise<boolean>, stuck: (path: string) => void): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes,
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  })
  router.beforeEach(async (to): Promise<RouteLocationRaw | true> => {
    const signedIn = await load()
    if (signedIn || to.meta.open) return true
    return { name: 'sign-in', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
  })
  router.onError((_error, to) => stuck(to.fullPath))
  return router
}
