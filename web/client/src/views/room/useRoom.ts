import {
  computed,
  inject,
  onScopeDispose,
  reactive,
  shallowReactive,
  type ComputedRef,
  type InjectionKey,
} from 'vue'

import { onWake } from '@/lib/onWake'
import type { RoomConnectionOptions } from '@/protocol/rooms/connection'
import type { RoomEventName, RoomEvents, Source } from '@/protocol/rooms/messages'
import { RoomSession } from '@/protocol/rooms/session'
import { newRoomState, type RoomState } from '@/protocol/rooms/state'

export type TalkSide = 'resident' | 'expert'

export interface RemoteTrack {
  producerId: string
  peerId: string
  source: Source
  track: MediaStreamTrack
}

export interface Room {
  state: RoomState
  session: RoomSession
  /** What is received now, by producer. */
  tracks: Map<string, RemoteTrack>
  /** The producers whose pictures the line does not bear at the moment. */
  starved: Set<string>
  /** Which side of a consultation this is; absent in a meeting. */
  talk: TalkSide | undefined
  /** Has a host's tools; nobody has in a consultation. */
  hosting: ComputedRef<boolean>
  /** Is told of everybody's line: hosts, and experts. */
  overseeing: ComputedRef<boolean>
}

export interface RoomCallbacks {
  onSilenced: (source: Source) => void
  onSendFailed: (source: Source, problem: unknown) => void
  onEvent: <Event extends RoomEventName>(event: Event, payload: RoomEvents[Event]) => void
}

export const ROOM: InjectionKey<Room> = Symbol('room')

/** A room session whose state and tracks Vue follows; it is left when the component goes. */
export function useRoomSession(
  options: RoomConnectionOptions,
  callbacks: RoomCallbacks,
  talk: TalkSide | undefined,
): Room {
  const state = reactive(newRoomState())
  const tracks = shallowReactive(new Map<string, RemoteTrack>())
  const starved = shallowReactive(new Set<string>())
  const session = new RoomSession(options, state, {
    onTrack: ({ producerId, peerId, source }, track) =>
      tracks.set(producerId, { producerId, peerId, source, track }),
    onTrackEnded: (producerId) => tracks.delete(producerId),
    onStarved: (producerId, is) => (is ? starved.add(producerId) : starved.delete(producerId)),
    ...callbacks,
  })

  const asleep = onWake((networkBack) => session.wake(networkBack))
  /** Closing the page is leaving: the others need not wait for the grace period. */
  const leaving = (event: PageTransitionEvent): void => {
    if (!event.persisted) void session.leave()
  }
  addEventListener('pagehide', leaving)
  onScopeDispose(() => {
    asleep()
    removeEventListener('pagehide', leaving)
    void session.leave()
  })
  const overseeing = computed(() => state.role === 'host')
  const hosting = computed(() => overseeing.value && !talk)
  return { state, session, tracks, starved, talk, hosting, overseeing }
}

/** The room of the page, in one of its panels. */
export function useRoom(): Room {
  const room = inject(ROOM)
  if (!room) throw new Error('No room was provided')
  return room
}
