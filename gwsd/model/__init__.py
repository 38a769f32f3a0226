"""The network: ConvLSTM encoder, U-Net decoder, their weights and their execution."""
