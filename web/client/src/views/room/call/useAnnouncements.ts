import { ref, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'

import type { PanelName } from './panelName'

import type { Room } from '../useRoom'

import { useFailureText } from '@/lib/failureText'
import type { RoomEventName, RoomEvents } from '@/protocol/rooms/messages'
import type { Peer } from '@/protocol/rooms/state'
import { useToasts } from '@/stores/toasts'

export interface Announcements {
  unread: Ref<number>
  heard: <Event extends RoomEventName>(room: Room, event: Event, payload: RoomEvents[Event]) => void
  /** People who are not there any more. */
  left: (room: Room, peers: readonly Peer[]) => void
  read: () => void
}

/** More people than this make "came in" a noise. */
const SMALL_MEETING = 12
const EXCERPT = 60

/** Says what happens in the room to who does not look there: short notices and the count of unread lines. */
export function useAnnouncements(panel: () => PanelName | null): Announcements {
  const { t } = useI18n()
  const toasts = useToasts()
  const failureText = useFailureText()
  const unread = ref(0)
  const nameOf = (room: Room, peerId: string): string =>
    room.state.peers.find((peer) => peer.peerId === peerId)?.displayName ?? ''

  const say: { [Event in RoomEventName]?: (room: Room, payload: RoomEvents[Event]) => void } = {
    admitted(room) {
      if (!room.talk) toasts.show(t('room.notice.admitted'), 'success')
    },
    peerJoined(room, { displayName }) {
      if (room.talk || panel() === 'people') return // shown there
      if (room.state.peers.length < SMALL_MEETING) toasts.show(t('room.notice.joined', { name: displayName }))
    },
    chat(room, { peerId, displayName, text }) {
      if (peerId === room.state.peerId || panel() === 'chat') return
      unread.value += 1
      toasts.show(t('common.pair', { what: displayName, text: text.slice(0, EXCERPT) }))
    },
    handRaised(room, { peerId, raised }) {
      const name = nameOf(room, peerId)
      if (raised && name && room.hosting.value) toasts.show(t('room.notice.hand', { name }))
      if (!raised && peerId === room.state.peerId) toasts.show(t('room.notice.handLowered'))
    },
    lobby(room, { displayName, waiting }) {
      if (waiting && room.hosting.value && panel() !== 'people')
        toasts.show(t('room.notice.waits', { name: displayName }))
    },
    roleChanged(room, { peerId, role }) {
      if (peerId === room.state.peerId && role === 'host') toasts.show(t('room.notice.host'))
    },
    recordingState(_room, { state, reason }) {
      if (state === 'capturing') toasts.show(t('room.notice.recording'))
      if (state === 'failed')
        toasts.show(t('room.notice.recordingFailed', { reason: failureText(reason) }), 'problem')
    },
  }

  return {
    unread,
    left(room, peers) {
      if (room.talk || panel() === 'people' || peers.length === 0 || peers.length >= SMALL_MEETING) return
      toasts.show(t('room.notice.left', { name: peers.map(({ displayName }) => displayName).join('、') }))
    },
    heard: (room, event, payload) => say[event]?.(room, payload),
    read: () => void (unread.value = 0),
  }
}
