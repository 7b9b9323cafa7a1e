/** What can be open beside the pictures. */
export type PanelName = 'chat' | 'people' | 'settings' | 'network'
