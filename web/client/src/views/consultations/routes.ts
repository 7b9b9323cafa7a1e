import type { RouteRecordRaw } from 'vue-router'

export const consultationRoutes: RouteRecordRaw[] = [
  {
    path: '/consult',
    name: 'consult',
    component: () => import('./ConsultPage.vue'),
    meta: { title: 'consultations.title', open: true },
  },
  {
    path: '/station',
    name: 'station',
    component: () => import('./StationPage.vue'),
    meta: { title: 'consultations.station.title', open: true, bare: true },
  },
  {
    path: '/desk',
    name: 'desk',
    component: () => import('./DeskPage.vue'),
    meta: { title: 'consultations.desk.title' },
  },
]
