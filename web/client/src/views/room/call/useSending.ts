import { inject, watch } from 'vue'
import { useI18n } from 'vue-i18n'

import { LOCAL_MEDIA, type LocalMedia } from '../media/useLocalMedia'
import type { Capture } from '../media/useCapture'

import type { Source } from '@/protocol/rooms/messages'
import type { RoomSession } from '@/protocol/rooms/session'
import { useToasts } from '@/stores/toasts'

export interface Sending {
  media: LocalMedia
  toggleMicrophone: () => Promise<void>
  toggleCamera: () => Promise<void>
  toggleScreen: () => Promise<void>
  /** Another device was chosen while the old one was open. */
  replaced: (kind: 'camera' | 'microphone', track: MediaStreamTrack) => void
  /** A host silenced it. */
  silenced: (source: Source) => void
}

/**
 * Keeps what is sent as the buttons say. A muted microphone stays open, so that unmuting is at once; a camera that is
 * off is closed, so that its light goes out.
 */
export function useSending(session: RoomSession): Sending {
  const { t } = useI18n()
  const toasts = useToasts()
  const media = inject(LOCAL_MEDIA)
  if (!media) throw new Error('No local media was provided')
  const { camera, microphone, screen } = media

  for (const { kind, track, on } of [camera, microphone]) {
    // Also when it was pulled out, or opened late.
    watch(track, (sent) => void session.send(kind, sent, !on.value), { immediate: true })
    // Also when the system keeps it silent: the others see why nothing comes.
    watch(on, (sends) => void session.setPaused(kind, !sends))
  }
  watch(screen, (captured) => {
    void session.send('screen', captured?.screen ?? null)
    void session.send('screenAudio', captured?.screenAudio ?? null)
  })

  const explain = (capture: Capture): void => {
    const problem = capture.problem.value
    if (!problem) return
    const device = t(`room.media.${capture.kind}`)
    const [what, text] = ['title', 'text'].map((part) => t(`room.media.${problem}.${part}`, { device }))
    toasts.show(t('common.pair', { what, text }), 'problem')
  }

  async function setMicrophone(on: boolean): Promise<void> {
    const { track } = microphone
    if (!on || (track.value && !track.value.muted)) {
      microphone.on.value = on
      return
    }
    await microphone.open()
    explain(microphone)
  }

  return {
    media,
    toggleMicrophone: () => setMicrophone(!microphone.on.value),
    async toggleCamera(): Promise<void> {
      if (camera.on.value) {
        camera.close()
        return
      }
      await camera.open()
      explain(camera)
    },
    async toggleScreen(): Promise<void> {
      if (screen.value) media.closeScreen()
      else await media.openScreen()
    },
    replaced(kind, { label }): void {
      const still = kind === 'microphone' && !microphone.on.value
      toasts.show(
        t(still ? 'room.devices.changedMuted' : 'room.devices.changed', { device: label }),
        'success',
      )
    },
    silenced(source): void {
      if (source === 'microphone') {
        microphone.on.value = false
        toasts.show(t('room.silenced.microphone'))
      } else if (source === 'camera') {
        camera.close()
        toasts.show(t('room.silenced.camera'))
      } else media.closeScreen()
    },
  }
}
