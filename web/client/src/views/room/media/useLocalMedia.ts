import { onScopeDispose, ref, shallowRef, watch, type InjectionKey, type Ref, type ShallowRef } from 'vue'

import { readStored, writeStored } from '@/stores/preferences'

import { capture, captureScreen, type CapturedScreen } from './capture'
import { useCapture, type Capture, type Mishap } from './useCapture'
import { useDeviceList, type DeviceList } from './useDeviceList'

const SPEAKER_KEY = 'huitang.speaker'

export interface LocalMedia {
  camera: Capture
  microphone: Capture
  screen: ShallowRef<CapturedScreen | null>
  devices: DeviceList
  speakerId: Ref<string>
  chooseSpeaker: (deviceId: string) => void
  /** Camera and microphone together; what cannot be had stays off with its problem. */
  openBoth: () => Promise<void>
  /** What could not be had, once more; what the person turned off or on stays so. */
  retry: () => Promise<void>
  openScreen: () => Promise<CapturedScreen | null>
  closeScreen: () => void
}

export const LOCAL_MEDIA: InjectionKey<LocalMedia> = Symbol('local media')

/** Everything of this device that could be sent. `onMishap` tells that something stopped by itself. */
export function useLocalMedia(
  onMishap: (mishap: Mishap, source: 'camera' | 'microphone' | 'screen') => void,
): LocalMedia {
  const camera = useCapture('camera', (mishap) => onMishap(mishap, 'camera'))
  const microphone = useCapture('microphone', (mishap) => onMishap(mishap, 'microphone'))
  const screen = shallowRef<CapturedScreen | null>(null)
  let closings = 0 // of the screen: what was asked for before one is not wanted after it
  const devices = useDeviceList()
  // Only now may the page know of them, whenever the person has allowed it.
  watch([camera.track, microphone.track], (tracks) => {
    if (tracks.some((track) => track)) void devices.refresh()
  })
  const speakerId = ref(readStored(SPEAKER_KEY) ?? '')

  async function openBoth(): Promise<void> {
    const attempts = { camera: camera.begin(), microphone: microphone.begin() }
    try {
      const tracks = await capture({ camera: camera.deviceId.value, microphone: microphone.deviceId.value })
      attempts.camera.take(tracks.camera)
      attempts.microphone.take(tracks.microphone)
    } catch {
      // One missing or refused device spoils the common request: each by itself tells which.
      if (attempts.camera.current()) await camera.open()
      if (attempts.microphone.current()) await microphone.open()
    }
  }

  async function retry(): Promise<void> {
    const troubled = [camera, microphone].filter(({ problem }) => problem.value)
    if (troubled.length === 2) return openBoth() // the browser asks once
    for (const capture of troubled) await capture.open()
  }

  function closeScreen(): void {
    closings += 1
    stop(screen.value)
    screen.value = null
  }

  async function openScreen(): Promise<CapturedScreen | null> {
    const before = closings
    const captured = await captureScreen().catch(() => null) // the person closed the browser's dialog
    if (!captured || before !== closings) {
      stop(captured) // left while the dialog was up, or a host does not want it any more
      return null
    }
    stop(screen.value)
    screen.value = captured
    captured.screen.addEventListener('ended', () => {
      if (screen.value !== captured) return
      closeScreen()
      onMishap('lost', 'screen')
    })
    return captured
  }

  function chooseSpeaker(deviceId: string): void {
    speakerId.value = deviceId
    writeStored(SPEAKER_KEY, deviceId)
  }

  onScopeDispose(closeScreen)
  return {
    camera,
    microphone,
    screen,
    devices,
    speakerId,
    chooseSpeaker,
    openBoth,
    retry,
    openScreen,
    closeScreen,
  }
}

function stop(captured: CapturedScreen | null): void {
  captured?.screen.stop()
  captured?.screenAudio?.stop()
}
