export * from './change-key.js';
export * from './change-state.js';
export * from './enrol-participant.js';
export * from './participant.js';
export * from './participant-registry.js';
export * from './participants.js';
export { type IssuedCertificate, registerCertificate, revokeCertificate } from './register-certificate.js';
export { type PresentedCertificate, RegistryView } from './registry-view.js';
export * from './store.js';
