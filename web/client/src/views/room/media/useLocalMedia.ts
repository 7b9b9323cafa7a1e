import { ref, shallowRef, type InjectionKey, type Ref, type ShallowRef } from 'vue'

import { readStored, writeStored } from '@/stores/preferences'

import { capture, captureScreen, type CapturedScreen } from './capture'
import { useCapture, type Capture } from './useCapture'
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
  openScreen: () => Promise<CapturedScreen | null>
  closeScreen: () => void
}

export const LOCAL_MEDIA: InjectionKey<LocalMedia> = Symbol('local media')

/** Everything of this device that could be sent. `onLost` tells that something stopped by itself. */
export function useLocalMedia(onLost: (source: 'camera' | 'microphone' | 'screen') => void): LocalMedia {
  const camera = useCapture('camera', () => onLost('camera'))
  const microphone = useCapture('microphone', () => onLost('microphone'))
  const screen = shallowRef<CapturedScreen | null>(null)
  const devices = useDeviceList()
  const speakerId = ref(readStored(SPEAKER_KEY) ?? '')

  async function openBoth(): Promise<void> {
    try {
      const tracks = await capture({ camera: camera.deviceId.value, microphone: microphone.deviceId.value })
      if (tracks.camera) camera.take(tracks.camera)
      if (tracks.microphone) microphone.take(tracks.microphone)
    } catch {
      // One missing or refused device spoils the common request: each by itself tells which.
      await camera.open()
      await microphone.open()
    }
    await devices.refresh()
  }

  function closeScreen(): void {
    screen.value?.screen.stop()
    screen.value?.screenAudio?.stop()
    screen.value = null
  }

  async function openScreen(): Promise<CapturedScreen | null> {
    const captured = await captureScreen().catch(() => null) // the person closed the browser's dialog
    screen.value = captured
    captured?.screen.addEventListener('ended', () => {
      if (screen.value !== captured) return
      closeScreen()
      onLost('screen')
    })
    return captured
  }

  function chooseSpeaker(deviceId: string): void {
    speakerId.value = deviceId
    writeStored(SPEAKER_KEY, deviceId)
  }

  return { camera, microphone, screen, devices, speakerId, chooseSpeaker, openBoth, openScreen, closeScreen }
}
