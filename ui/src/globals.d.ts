/** True in development and in builds made with GUANXI_KIT=1. */
declare const __KIT__: boolean;
