import type { Component } from 'vue'

import { BookOpen, CirclePlay, Headset, House, MessagesSquare } from '@lucide/vue'

import type { useSession } from '@/stores/session'

export interface NavigationItem {
  route: string
  /** A key of the messages. */
  label: string
  icon: Component
  /** Who sees it; everybody signed in where it is left out. */
  shown?: (session: ReturnType<typeof useSession>) => boolean
}

/** The few places everything is reached from: across the top on a desktop, along the bottom on a phone. */
export const NAVIGATION: NavigationItem[] = [
  { route: 'home', label: 'home.title', icon: House },
  {
    route: 'recordings',
    label: 'recordings.title',
    icon: CirclePlay,
    shown: (session) => session.level < 5,
  },
  {
    route: 'card',
    label: 'card.title',
    icon: BookOpen,
    shown: (session) => Boolean(session.current?.member),
  },
  { route: 'consult', label: 'consultations.short', icon: MessagesSquare },
  {
    route: 'desk',
    label: 'consultations.desk.short',
    icon: Headset,
    shown: (session) => session.holds('expert'),
  },
]
